import 'reflect-metadata';
import { DistantSeats } from './distant-seats.js';
import { lockPlace } from './lock-place.js';
import { openSale } from './open-sale.js';

/** One of several processes that sell the same seats: started with the name and the address of where the locks live. */
const [, , name, address] = process.argv;
const place = await lockPlace(name!);
const sale = await openSale({ backend: place.connect(address!), seats: new DistantSeats() });
process.send!({ url: sale.urls[0] });
process.once('disconnect', () => void sale.close());
