// node --import <this file> a.ts: a process that a test starts runs TypeScript as jest does, compiled file by file.
import { existsSync, readFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transformSync } from '@swc/core';
import config from '../../jest.config.js';

// Hooks run on a thread of their own, which loads this file as well.
if (isMainThread) register(import.meta.url);

const [, options] = config.projects[0].transform['\\.ts$'];

export async function resolve(specifier, context, next) {
  const own = /^nestjs-locked(\/.+)?$/.exec(specifier);
  if (own) {
    const source = new URL(`../../lib${own[1] ?? ''}/index.ts`, import.meta.url);
    return { url: source.href, format: 'module', shortCircuit: true };
  }
  if (/^\.{1,2}\/.*\.js$/.test(specifier)) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(source)) return { url: source.href, format: 'module', shortCircuit: true };
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  const { code } = transformSync(readFileSync(filename, 'utf8'), { ...options, filename });
  return { format: 'module', source: code, shortCircuit: true };
}
