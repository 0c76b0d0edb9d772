import { BullModule, getQueueToken, Processor, WorkerHost } from '@nestjs/bullmq';
import { Inject, type Type } from '@nestjs/common';
import { type Job, type Queue, QueueEvents } from 'bullmq';
import { Locked } from 'nestjs-locked';
import { type Cell, type EntryPoint, Tag } from '../cell.js';
import { type made, Workshop } from '../workshop.js';
import { compile, outcome } from './site.js';

const QUEUE = 'items';

type Work = Job<{ readonly item: number }>;

const itemOf = ({ data: { item } }: Work): string => `item:${item}`;

function processorOf(cell: Cell): Type {
  @Processor({ name: QUEUE, ...cell.options }, { concurrency: 2 })
  class Items extends WorkerHost {
    @Inject(Workshop) readonly workshop!: Workshop;

    @cell.above(Locked(itemOf))
    @Tag()
    @cell.below(Locked(itemOf))
    override async process(_job: Work): Promise<typeof made> {
      this.workshop.look(this);
      return this.workshop.work();
    }
  }
  return Items;
}

export const bullmqEntryPoints: { 'BullMQ processor': EntryPoint } = {
  'BullMQ processor': {
    failure: () => new Error('mine'),
    needsRedis: true,
    open: async (cell, site) => {
      const processor = processorOf(cell);
      const { hostname: host, port } = new URL(site.redis);
      const connection = { host, port: Number(port) };
      const module = await compile(site, {
        imports: [BullModule.forRoot({ connection }), BullModule.registerQueue({ name: QUEUE })],
        providers: [processor],
      });
      const app = await module.createNestApplication().init();
      const queue = app.get<Queue>(getQueueToken(QUEUE));
      const events = new QueueEvents(QUEUE, { connection });
      await events.waitUntilReady();
      return {
        app,
        handler: [processor, 'process'],
        call: () => outcome(async () => (await queue.add('work', { item: 7 })).waitUntilFinished(events, 20_000)),
        close: async () => {
          await events.close();
          await app.close();
        },
      };
    },
  },
};
