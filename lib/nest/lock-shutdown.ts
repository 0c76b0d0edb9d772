import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { importedLockModules } from './lock-modules.js';
import { type LockService } from './lock.service.js';

/**
 * Closes all lock services of an application at once. By hooks of their own they would be drained one after the other, each
 * for its own `drainMs`, and the last would take new callers meanwhile.
 */
@Injectable()
export class LockShutdown implements BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(@Inject(ModulesContainer) private readonly modules: ModulesContainer) {}

  // Not in onModuleDestroy: requests are still being handled then, and they lock.
  async beforeApplicationShutdown(): Promise<void> {
    await this.each((service) => service.drain());
  }

  async onApplicationShutdown(): Promise<void> {
    await this.each((service) => service.close());
  }

  private async each(work: (service: LockService) => Promise<void>): Promise<void> {
    const services = importedLockModules(this.modules).flatMap(({ service }) => service ?? []);
    await Promise.all(services.map(work));
  }
}
