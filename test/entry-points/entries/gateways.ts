import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type INestApplication,
  Inject,
  Injectable,
  type Type,
  UseFilters,
  UseGuards,
  type WebSocketAdapter,
} from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { Locked, LockErrorFilter } from 'nestjs-locked';
import { type Cell, type EntryPoint, FriendsOnly, STRANGER, Tag } from '../cell.js';
import { type made, Workshop } from '../workshop.js';
import { compile } from './site.js';

interface Order {
  readonly item: number;
  readonly by: string;
}

const itemOf = ({ item }: Order): string => `item:${item}`;

function gatewayOf(cell: Cell): Type {
  @Injectable(cell.options)
  @WebSocketGateway()
  @UseFilters(LockErrorFilter)
  class Items {
    @Inject(Workshop) readonly workshop!: Workshop;

    @cell.above(Locked(itemOf))
    @SubscribeMessage('work')
    @Tag()
    @UseGuards(FriendsOnly)
    @cell.below(Locked(itemOf))
    async handle(@MessageBody() _order: Order): Promise<{ event: string; data: typeof made }> {
      this.workshop.look(this);
      return { event: 'made', data: await this.workshop.work() };
    }
  }
  return Items;
}

/** Connects, sends an order, and resolves with the first event that comes back. */
type Ask = (port: number, order: Order) => Promise<unknown>;

function entryPoint(adapterOf: (app: INestApplication) => WebSocketAdapter, ask: Ask): EntryPoint {
  return {
    failure: () => new WsException('mine'),
    open: async (cell, site) => {
      const gateway = gatewayOf(cell);
      const module = await compile(site, { providers: [gateway] });
      const app = module.createNestApplication({ forceCloseConnections: true });
      app.useWebSocketAdapter(adapterOf(app));
      await app.listen(0, '127.0.0.1');
      const port = Number(new URL(await app.getUrl()).port);
      return {
        app,
        handler: [gateway, 'handle'],
        call: () => ask(port, { item: 7, by: 'friend' }),
        callAsStranger: () => ask(port, { item: 7, by: STRANGER }),
        close: () => app.close(),
      };
    },
  };
}

async function askByWs(port: number, order: Order): Promise<unknown> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  const signal = AbortSignal.timeout(20_000);
  try {
    await once(socket, 'open', { signal });
    socket.send(JSON.stringify({ event: 'work', data: order }));
    const [message] = (await once(socket, 'message', { signal })) as [Buffer];
    return JSON.parse(message.toString()) as unknown;
  } finally {
    socket.close();
  }
}

async function askBySocketIo(port: number, order: Order): Promise<unknown> {
  const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true, reconnection: false });
  const answered = new Promise((resolve, reject) => {
    socket.on('connect_error', reject);
    socket.onAny((event: string, data: unknown) => resolve({ event, data }));
  });
  try {
    socket.emit('work', order);
    return await Promise.race([answered, sleep(20_000, 'no answer', { ref: false })]);
  } finally {
    socket.close();
  }
}

export const gatewayEntryPoints = {
  'gateway on ws': entryPoint((app) => new WsAdapter(app), askByWs),
  'gateway on socket.io': entryPoint((app) => new IoAdapter(app), askBySocketIo),
};
