import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { LockErrorFilter } from './lock-error.filter.js';
import { LockShutdown } from './lock-shutdown.js';
import { LockedExplorer } from './locked.explorer.js';

/** What an application has once, however many LockModules it imports. */
@Module({ providers: [LockedExplorer, LockShutdown, { provide: APP_FILTER, useClass: LockErrorFilter }] })
export class LockApplicationModule {}
