import { once } from 'node:events';
import { type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Injectable, type Type, UseFilters } from '@nestjs/common';
import { ClientTCP, EventPattern, MessagePattern, Transport } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { lastValueFrom, timeout } from 'rxjs';
import { WebSocket } from 'ws';
import { Locked, LockErrorFilter, LockModule, LockService } from 'nestjs-locked';
import { create, Log, until } from '../nest/apps.js';
import { outcome } from './entries/site.js';

/** One method, reached in two ways: the lock knows neither. */
abstract class Handlers {
  @Get()
  @MessagePattern('work')
  @Locked('key', { waitMs: 0 })
  async work(): Promise<string> {
    return 'mine';
  }

  @EventPattern('done')
  @Locked('key', { waitMs: 0 })
  async done(_event: unknown): Promise<void> {}
}

@Controller()
class Plain extends Handlers {}

@Controller()
@UseFilters(LockErrorFilter)
class Filtered extends Handlers {}

@WebSocketGateway()
@Injectable()
class PlainGateway {
  @SubscribeMessage('work')
  @Locked('key', { waitMs: 0 })
  async work(): Promise<void> {}
}

@WebSocketGateway()
@Injectable()
@UseFilters(LockErrorFilter)
class FilteredGateway extends PlainGateway {}

const message = 'Locked by somebody else. Try again later.';
const report = { status: 'error', code: 'LOCK_UNAVAILABLE', message, retryAfterSeconds: 1 };
const generic = { status: 'error', message: 'Internal server error' };

interface Hybrid {
  readonly log: Log;
  byHttp(): Promise<unknown>;
  byRpc(): Promise<unknown>;
  byEvent(): Promise<void>;
  byWebSocket(): Promise<unknown>;
}

const leftToClose: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of leftToClose.splice(0).toReversed()) await close();
});

/** Of HTTP, WebSockets and TCP, with the key of its handlers taken. */
async function hybrid(controller: Type, gateway: Type, inheritAppConfig: boolean): Promise<Hybrid> {
  const log = new Log();
  const app = await create({ imports: [LockModule.forRoot()], controllers: [controller], providers: [gateway] }, log);
  leftToClose.push(() => app.close());
  app.useWebSocketAdapter(new WsAdapter(app));
  const options = { transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } } as const;
  const service = app.connectMicroservice(options, { inheritAppConfig });
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  await app.get(LockService).acquire('key');

  const { port } = service.unwrap<Server>().address() as AddressInfo;
  const client = new ClientTCP({ host: '127.0.0.1', port });
  leftToClose.push(() => client.close());
  return {
    log,
    byHttp: () => byHttp(app),
    byRpc: () => outcome(() => lastValueFrom(client.send<unknown>('work', {}).pipe(timeout(20_000)))),
    byEvent: () => lastValueFrom(client.emit<void>('done', {}).pipe(timeout(20_000)), { defaultValue: undefined }),
    byWebSocket: () => byWebSocket(app),
  };
}

async function byHttp(app: INestApplication): Promise<unknown> {
  const answer = await fetch(await app.getUrl(), { signal: AbortSignal.timeout(20_000) });
  return [answer.status, await answer.json()];
}

async function byWebSocket(app: INestApplication): Promise<unknown> {
  const socket = new WebSocket((await app.getUrl()).replace('http', 'ws'));
  const signal = AbortSignal.timeout(20_000);
  try {
    await once(socket, 'open', { signal });
    socket.send(JSON.stringify({ event: 'work', data: null }));
    const [answer] = (await once(socket, 'message', { signal })) as [Buffer];
    return JSON.parse(answer.toString()) as unknown;
  } finally {
    socket.close();
  }
}

describe('a hybrid application', () => {
  it('answers each transport in its own words', async () => {
    const { byHttp, byRpc, byWebSocket } = await hybrid(Plain, FilteredGateway, true);
    expect(await byHttp()).toEqual([423, { statusCode: 423, message, code: 'LOCK_UNAVAILABLE' }]);
    expect(await byRpc()).toEqual({ error: report });
    expect(await byWebSocket()).toMatchObject({ event: 'exception', data: report });
  });

  it('tells the log of an event that was not handled', async () => {
    const { byEvent, log } = await hybrid(Plain, PlainGateway, true);
    await byEvent();
    await until(() => log.warnings.length > 0);
    expect(log.warnings).toEqual([expect.stringMatching(/^\[LockErrorFilter\] "key" was not to be had/)]);
  });

  it('whose microservice does not inherit its filters answers by a filter of the controller', async () => {
    const { byHttp, byRpc, log } = await hybrid(Filtered, PlainGateway, false);
    expect(await byHttp()).toMatchObject([423, {}]);
    expect(await byRpc()).toEqual({ error: report });
    expect(log.errors).toEqual([]);
  });

  // What Nest does with any error that no filter of it knows: nothing of the lock gets out.
  it('without a filter tells nothing, and logs the error', async () => {
    const { byRpc, byWebSocket, log } = await hybrid(Plain, PlainGateway, false);
    expect(await byRpc()).toEqual({ error: generic });
    expect(await byWebSocket()).toMatchObject({ event: 'exception', data: generic });
    expect(log.errors).toHaveLength(2);
  });
});
