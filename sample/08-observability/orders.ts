import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { Locked } from 'nestjs-locked';

@Injectable()
export class Orders {
  /** Takes longer than others wait for it: they are told 423. */
  @Locked((id: string) => `order:${id}`, { waitMs: 100 })
  async ship(id: string, ms: number): Promise<{ shipped: string }> {
    // A child of the span `lock.hold Orders.ship`.
    await trace.getTracer('orders').startActiveSpan('pack', async (span) => {
      await sleep(ms);
      span.end();
    });
    return { shipped: id };
  }

  /** For as many keys as anybody wants. */
  @Locked((id: number) => `label:${id}`)
  async label(id: number): Promise<string> {
    return `order ${id}`;
  }
}
