// node --import <this file>, after test/support/typescript.mjs: the package is the one that was built.
import { readFileSync } from 'node:fs';
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

// Hooks run on a thread of their own, which loads this file as well.
if (isMainThread) register(import.meta.url);

const root = new URL('..', import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));

export async function resolve(specifier, context, next) {
  const [, subpath] = /^nestjs-locked(\/.+)?$/.exec(specifier) ?? [];
  const entry = specifier.startsWith('nestjs-locked') ? exports[`.${subpath ?? ''}`] : undefined;
  if (entry === undefined) return next(specifier, context);
  return { url: new URL(entry.default, root).href, format: 'module', shortCircuit: true };
}
