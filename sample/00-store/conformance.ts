import { CasBackend } from 'nestjs-locked/cas';
import { FolderStore } from './folder.store.js';
// #region conformance
import { describeBackendConformance } from 'nestjs-locked/conformance';

export function describeFolderStore(folder: string, only = /./): void {
  const fixture = {
    name: 'folder',
    connect: () => new CasBackend({ store: new FolderStore(folder) }),
    skip: [
      { test: /list/, reason: 'the store lists nothing' },
      { test: /is woken|ends no other/, reason: 'the store tells of no changes' },
    ],
  };
  describeBackendConformance(fixture, { only });
}
// #endregion
