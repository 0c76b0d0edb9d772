import { Injectable, Module } from '@nestjs/common';
import { Settings, SettingsModule } from './settings.js';
// #region modules
import { InjectLockService, Locked, LockModule, LockService } from 'nestjs-locked';
import { MemoryBackend } from 'nestjs-locked/memory';

@Injectable()
export class Reports {
  constructor(@InjectLockService('reports') private readonly locks: LockService) {}

  @Locked('monthly', { service: 'reports' })
  async monthly(): Promise<boolean> {
    const { holders } = await this.locks.inspect('monthly'); // who holds it and who waits, for people
    return holders.length === 1;
  }
}

@Module({
  imports: [
    LockModule.forRootAsync({
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: (settings: Settings) => ({ waitMs: settings.lockWaitMs }),
    }),
    LockModule.forRoot({ name: 'reports', backend: new MemoryBackend(), waitMs: 60_000 }),
  ],
  providers: [Reports],
})
export class AppModule {}
// #endregion
