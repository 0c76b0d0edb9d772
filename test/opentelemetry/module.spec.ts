import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, UseInterceptors } from '@nestjs/common';
import { Locked, LockInterceptor, LockModule, LockService } from 'nestjs-locked';
import { MemoryBackend } from 'nestjs-locked/memory';
import { LockTelemetryModule } from 'nestjs-locked/opentelemetry';
import { create, serve, start } from '../nest/apps.js';
import { Telemetry } from './telemetry.js';

@Injectable()
class Orders {
  @Locked((id: number) => `order:${id}`)
  async ship(id: number): Promise<number> {
    return id;
  }

  @Locked('stock', { service: 'stock' })
  async count(): Promise<void> {}
}

@Controller()
class OrdersController {
  constructor(private readonly orders: Orders) {}

  @Get('decorated')
  decorated(): Promise<number> {
    return this.orders.ship(1);
  }

  @Get('intercepted')
  @UseInterceptors(LockInterceptor('cart'))
  intercepted(): string {
    return 'done';
  }
}

const stock = () => LockModule.forRoot({ name: 'stock', backend: new MemoryBackend() });
const application = () => ({
  imports: [LockModule.forRoot(), stock(), LockTelemetryModule.forRoot()],
  controllers: [OrdersController],
  providers: [Orders],
});

let telemetry: Telemetry;

beforeEach(() => {
  telemetry = new Telemetry();
});
afterEach(() => telemetry.stop());

describe('LockTelemetryModule', () => {
  it('observes what is decorated, intercepted and run, of every lock service, by site', async () => {
    const get = await serve(application());
    await get('/decorated');
    await get('/intercepted');
    await get.app.get(Orders).count();
    await get.app.get(LockService).run('a', { site: 'by hand' }, () => undefined);
    const sites = (await telemetry.points('lock.hold.duration')).map(({ attributes, value }) => [
      attributes['lock.service'],
      attributes['lock.site'],
      value,
    ]);
    expect(sites).toEqual([
      ['default', 'Orders.ship', 1],
      ['default', 'OrdersController.intercepted', 1],
      ['stock', 'Orders.count', 1],
      ['default', 'by hand', 1],
    ]);
    expect(telemetry.spans.map(({ name }) => name)).toContain('lock.hold Orders.ship');
  });

  it('exports what the documentation lists', async () => {
    const app = await start(application());
    await app.get(Orders).ship(1);
    expect(await telemetry.names()).toEqual(['lock.held', 'lock.hold.duration', 'lock.wait.duration', 'lock.waiting']);
  });

  it('counts the locks that a shutdown takes away, and then no more', async () => {
    const app = await create({
      imports: [LockModule.forRoot({ backend: new MemoryBackend(), drainMs: 20 }), LockTelemetryModule.forRoot()],
    });
    await app.init();
    const lock = await app.get(LockService).acquire('a');
    await app.close();
    expect(lock.signal.aborted).toBe(true);
    expect(await telemetry.total('lock.losses', { 'error.type': 'closed' })).toBe(1);
    expect(await telemetry.total('lock.held')).toBe(0);

    const other = await start({ imports: [LockModule.forRoot()] });
    await other.get(LockService).run('a', () => undefined);
    expect(await telemetry.total('lock.wait.duration')).toBe(1);
  });

  it('of two applications in one process counts each lock once', async () => {
    const [one, other] = [await start(application()), await start(application())];
    await one.get(Orders).ship(1);
    await other.get(Orders).ship(1);
    expect(await telemetry.total('lock.hold.duration')).toBe(2);
    expect(telemetry.spans).toHaveLength(4);
  });
});
