import { Inject, Injectable, type Type } from '@nestjs/common';
import { Cron, CronExpression, Interval, ScheduleModule, Timeout } from '@nestjs/schedule';
import { Locked } from 'nestjs-locked';
import { type Cell, type EntryPoint, Tag } from '../cell.js';
import { KEY, Workshop } from '../workshop.js';
import { compile } from './site.js';

/** Two methods, because a timeout fires once. */
function jobsOf(cell: Cell, scheduled: () => MethodDecorator): Type {
  @Injectable(cell.options)
  class Jobs {
    @Inject(Workshop) readonly workshop!: Workshop;

    @cell.above(Locked(KEY))
    @scheduled()
    @Tag()
    @cell.below(Locked(KEY))
    async handle(): Promise<void> {
      this.workshop.look(this);
      await this.workshop.work();
    }

    @cell.above(Locked(KEY))
    @scheduled()
    @cell.below(Locked(KEY))
    async handleToo(): Promise<void> {
      this.workshop.look(this);
      await this.workshop.work();
    }
  }
  return Jobs;
}

function entryPoint(scheduled: () => MethodDecorator): EntryPoint {
  return {
    failure: () => new Error('mine'),
    open: async (cell, site) => {
      const jobs = jobsOf(cell, scheduled);
      const module = await compile(site, { imports: [ScheduleModule.forRoot()], providers: [jobs] });
      const app = await module.createNestApplication().init();
      return {
        app,
        handler: [jobs, 'handle'],
        // Time does.
        call: async () => undefined,
        close: () => app.close(),
      };
    },
  };
}

export const scheduleEntryPoints = {
  // On a busy machine a tick may be late, which is by default a reason to leave it out.
  '@Cron': entryPoint(() => Cron(CronExpression.EVERY_SECOND, { threshold: 60_000 })),
  '@Interval': entryPoint(() => Interval(50)),
  '@Timeout': entryPoint(() => Timeout(1)),
};
