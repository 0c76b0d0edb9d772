import { type ModuleMetadata, type Provider } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { LockModule } from 'nestjs-locked';
import { type Site } from '../cell.js';
import { Workshop } from '../workshop.js';

/** The modules of an application with locks and a workshop, of which nothing is replaced. */
export function compile({ workshop, log, locks = {} }: Site, metadata: ModuleMetadata): Promise<TestingModule> {
  const providers: Provider[] = [...(metadata.providers ?? []), { provide: Workshop, useValue: workshop }];
  const imports = [LockModule.forRoot(locks), ...(metadata.imports ?? [])];
  return Test.createTestingModule({ ...metadata, imports, providers })
    .setLogger(log)
    .compile();
}

/** What whoever called got: a value, or what was thrown. */
export async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return { value: await call() };
  } catch (error) {
    return { error };
  }
}
