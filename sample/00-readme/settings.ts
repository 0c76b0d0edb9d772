import { Injectable, Module } from '@nestjs/common';

/** Stands for the configuration of an application. */
@Injectable()
export class Settings {
  readonly lockWaitMs = 3_000;
}

@Module({ providers: [Settings], exports: [Settings] })
export class SettingsModule {}
