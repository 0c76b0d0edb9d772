// #region module
import { Module } from '@nestjs/common';
import { LockModule } from 'nestjs-locked';
import { CasBackend } from 'nestjs-locked/cas';
import { FolderStore } from './folder.store.js';

@Module({
  imports: [
    LockModule.forRootAsync({
      useFactory: () => ({ backend: new CasBackend({ store: new FolderStore(process.env['LOCKS_FOLDER']!) }) }),
    }),
  ],
})
export class AppModule {}
// #endregion
