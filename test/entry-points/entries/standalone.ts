import { Inject, Injectable, Module, type Type } from '@nestjs/common';
import { ContextIdFactory, NestFactory } from '@nestjs/core';
import { Locked, LockModule } from 'nestjs-locked';
import { type Cell, type EntryPoint, Tag } from '../cell.js';
import { type made, Workshop } from '../workshop.js';
import { outcome } from './site.js';

interface Handler {
  handle(item: number): Promise<typeof made>;
}

const itemOf = (item: number): string => `item:${item}`;

function providerOf(cell: Cell): Type<Handler> {
  @Injectable(cell.options)
  class Items implements Handler {
    @Inject(Workshop) readonly workshop!: Workshop;

    @cell.above(Locked(itemOf))
    @Tag()
    @cell.below(Locked(itemOf))
    async handle(_item: number): Promise<typeof made> {
      this.workshop.look(this);
      return this.workshop.work();
    }
  }
  return Items;
}

export const standaloneEntryPoints: { 'standalone application': EntryPoint } = {
  'standalone application': {
    failure: () => new Error('mine'),
    // Whoever resolves one gets one.
    workers: { TRANSIENT: 2 },
    open: async (cell, { workshop, log, locks = {} }) => {
      const provider = providerOf(cell);
      @Module({
        imports: [LockModule.forRoot(locks)],
        providers: [provider, { provide: Workshop, useValue: workshop }],
      })
      class Standalone {}
      const app = await NestFactory.createApplicationContext(Standalone, { logger: log });
      const built = async (): Promise<Handler> =>
        cell.scope === 'singleton' ? app.get(provider) : app.resolve(provider, ContextIdFactory.getByRequest({}));
      return {
        app,
        handler: [provider, 'handle'],
        call: () => outcome(async () => (await built()).handle(7)),
        close: () => app.close(),
      };
    },
  },
};
