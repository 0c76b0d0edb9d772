import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { describeFolderStore } from '../../sample/00-store/conformance.js';

// The example of docs/backends/cas.md is a store like any other. Waiting for leases takes its time: one mode will do.
const folder = mkdtempSync(join(tmpdir(), 'nestjs-locked-folder-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeFolderStore(folder, /^(?!.*\[limit)/);
