import { Injectable } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { Locked } from 'nestjs-locked';

const TICK = CronExpression.EVERY_10_SECONDS;
const TICK_MS = 10_000;

/** The same job three times over. Every replica of the application has all of them, and no two clocks are quite alike. */
@Injectable()
export class Reports {
  /** Every replica does it, at every tick. */
  @Cron(TICK)
  everywhere(): void {
    this.report('everywhere');
  }

  /** No two at a time. But a replica whose clock is behind comes when the first is done, and does it again. */
  @Cron(TICK)
  @Locked('report:apart', { onBusy: 'skip' })
  async apart(): Promise<void> {
    this.report('apart');
  }

  /** One of them, once a tick: `minHoldMs` is more than the clocks are apart, and less than from one tick to the next. */
  @Cron(TICK)
  @Locked('report:once', { onBusy: 'skip', minHoldMs: TICK_MS / 2 })
  async once(): Promise<void> {
    this.report('once');
  }

  private report(job: string): void {
    const tick = Math.floor(Date.now() / TICK_MS) * TICK_MS;
    console.log(`${job}: the report of ${new Date(tick).toISOString()}`);
  }
}
