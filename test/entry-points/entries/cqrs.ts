import { Inject, type INestApplicationContext, type Type } from '@nestjs/common';
import { CommandBus, CommandHandler, CqrsModule, EventBus, EventsHandler } from '@nestjs/cqrs';
import { QueryBus, QueryHandler, UnhandledExceptionBus } from '@nestjs/cqrs';
import { Locked } from 'nestjs-locked';
import { type Cell, type EntryPoint, Tag } from '../cell.js';
import { type made, Workshop } from '../workshop.js';
import { compile, outcome } from './site.js';

class Work {
  constructor(readonly item: number) {}
}

const itemOf = ({ item }: Work): string => `item:${item}`;

function executorOf(cell: Cell, handler: ClassDecorator): Type {
  @handler
  class WorkHandler {
    @Inject(Workshop) readonly workshop!: Workshop;

    @cell.above(Locked(itemOf))
    @Tag()
    @cell.below(Locked(itemOf))
    async execute(_work: Work): Promise<typeof made> {
      this.workshop.look(this);
      return this.workshop.work();
    }
  }
  return WorkHandler;
}

function listenerOf(cell: Cell): Type {
  @EventsHandler(Work, cell.options)
  class WorkHandler {
    @Inject(Workshop) readonly workshop!: Workshop;

    @cell.above(Locked(itemOf))
    @Tag()
    @cell.below(Locked(itemOf))
    async handle(_work: Work): Promise<void> {
      this.workshop.look(this);
      await this.workshop.work();
    }
  }
  return WorkHandler;
}

function entryPoint(
  method: string,
  handlerOf: (cell: Cell) => Type,
  call: (app: INestApplicationContext) => unknown,
): EntryPoint {
  return {
    failure: () => new Error('mine'),
    // The buses give each command a context of its own, and ask no strategy for a durable one.
    workers: { durable: 2 },
    open: async (cell, site) => {
      const handler = handlerOf(cell);
      const module = await compile(site, { imports: [CqrsModule.forRoot()], providers: [handler] });
      const app = await module.createNestApplication().init();
      app.get(UnhandledExceptionBus).subscribe(({ exception }) => site.log.error(exception));
      return { app, handler: [handler, method], call: async () => call(app), close: () => app.close() };
    },
  };
}

export const cqrsEntryPoints = {
  'CQRS command handler': entryPoint(
    'execute',
    (cell) => executorOf(cell, CommandHandler(Work, cell.options)),
    (app) => outcome(() => app.get(CommandBus).execute(new Work(7))),
  ),
  'CQRS query handler': entryPoint(
    'execute',
    (cell) => executorOf(cell, QueryHandler(Work, cell.options)),
    (app) => outcome(() => app.get(QueryBus).execute(new Work(7))),
  ),
  'CQRS event handler': entryPoint('handle', listenerOf, (app) => void app.get(EventBus).publish(new Work(7))),
};
