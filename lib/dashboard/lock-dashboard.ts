import { type ServerResponse } from 'node:http';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { LockConfigError } from '../core/errors.js';
import { importedLockModules } from '../nest/lock-modules.js';
import { type LockService } from '../nest/lock.service.js';
import { LockHistory } from './lock-history.js';
import { type KeyOfService, type View } from './view.js';
import { Viewer } from './viewer.js';

/** What the page shows and does, without HTTP. */
@Injectable()
export class LockDashboard implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly log = new Logger('LockDashboard');
  private readonly history = new LockHistory();
  /** By name. Of a name that is imported twice, with one backend, it is the first. */
  private readonly services = new Map<string, LockService>();
  private readonly viewers = new Set<Viewer>();
  private readonly unsubscribe: (() => void)[] = [];
  private isClosing = false;

  constructor(@Inject(ModulesContainer) private readonly modules: ModulesContainer) {}

  onModuleInit(): void {
    for (const { name, service } of importedLockModules(this.modules)) {
      if (service === undefined) continue;
      if (!this.services.has(name)) this.services.set(name, service);
      this.unsubscribe.push(service.subscribe((event) => this.history.record(event, Date.now())));
    }
    if (this.services.size === 0) {
      throw new LockConfigError(
        'LockDashboardModule shows the locks of LockModule, and none is imported: import LockModule, too',
      );
    }
  }

  /** Streams would keep the server from closing. */
  beforeApplicationShutdown(): void {
    this.isClosing = true;
    for (const viewer of this.viewers) viewer.leave();
  }

  onApplicationShutdown(): void {
    for (const end of this.unsubscribe) end();
  }

  /** Resolves when the viewer has gone. */
  async show(view: View, response: ServerResponse): Promise<void> {
    const viewer = new Viewer(response, view, this.services, this.history);
    if (this.isClosing) return viewer.leave();
    this.viewers.add(viewer);
    try {
      await viewer.watch();
    } catch (error) {
      this.log.error(error);
      viewer.leave();
    } finally {
      this.viewers.delete(viewer);
    }
  }

  /**
   * Takes a claim away. false: it was no longer in line. undefined: there is no such service.
   *
   * @throws what `forceRelease` throws.
   */
  async forceRelease({ service, key }: KeyOfService, claim: string): Promise<boolean | undefined> {
    const removed = await this.services.get(service)?.forceRelease(key, { claim });
    if (removed === true) this.log.warn(`${JSON.stringify(key)} of ${service}: claim ${claim} was taken away by hand`);
    return removed;
  }
}
