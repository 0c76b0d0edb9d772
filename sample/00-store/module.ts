// #region module
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { LockModule } from 'nestjs-locked';
import { CasBackend } from 'nestjs-locked/cas';
import { FolderStore } from './folder.store.js';

@Module({
  imports: [LockModule.forRoot({ backend: new CasBackend({ store: new FolderStore(join(tmpdir(), 'locks')) }) })],
})
export class AppModule {}
// #endregion
