import 'reflect-metadata';
import { isMainThread, type MessagePort, workerData } from 'node:worker_threads';
import { type Channel, channelOver, channelTo } from './channel.js';
import { DistantSeats } from './distant-seats.js';
import { type Address, lockPlace } from './lock-place.js';
import { openSale } from './open-sale.js';

export interface Assignment {
  readonly name: string;
  readonly address: Address;
  readonly port: MessagePort;
}

/** One of several processes or threads that sell the same seats: started with the name and the address of where the locks live. */
const { name, address, channel } = isMainThread ? asProcess() : asThread(workerData as Assignment);
const place = await lockPlace(name);
const sale = await openSale({ backend: place.connect(address), seats: new DistantSeats(channel) });
channel.onEnd(() => void sale.close());
channel.send({ url: sale.urls[0] });

function asProcess(): { name: string; address: Address; channel: Channel } {
  const [, , name, address] = process.argv;
  return { name: name!, address: address!, channel: channelTo(process) };
}

function asThread({ name, address, port }: Assignment): { name: string; address: Address; channel: Channel } {
  return { name, address, channel: channelOver(port) };
}
