import { describe, expect, it } from '@jest/globals';
import { cycleIn, importGraph, type Layer, violations } from './layers.js';
import { filesUnder, packageJson } from './source.js';

const { peerDependencies, peerDependenciesMeta = {} } = packageJson();
const isClient = (name: string): boolean => peerDependenciesMeta[name]?.optional === true;
const nest = Object.keys(peerDependencies).filter((name) => !isClient(name));

/** The whole architecture: what is not said here is forbidden. Backends never import each other. */
const LAYERS: Readonly<Record<string, Layer>> = {
  'index.ts': { layers: ['core', 'nest'], packages: [] },
  core: { layers: [], packages: [] },
  memory: { layers: ['core'], packages: [] },
  redis: { layers: ['core'], packages: ['ioredis'] },
  zookeeper: { layers: ['core'], packages: ['zookeeper'] },
  cas: { layers: ['core'], packages: ['pg'] },
  // The embedded default is the one backend that nest knows.
  nest: { layers: ['core', 'memory'], packages: nest },
  dashboard: { layers: ['core', 'nest'], packages: nest },
  opentelemetry: { layers: ['core'], packages: ['@nestjs/common', '@opentelemetry/api'] },
  terminus: { layers: ['core', 'nest'], packages: ['@nestjs/common', '@nestjs/core', '@nestjs/terminus'] },
  conformance: { layers: ['core'], packages: [] },
  testing: { layers: ['core', 'memory', 'nest'], packages: nest },
};

describe('the layers of lib', () => {
  const graph = importGraph(filesUnder('lib'));

  it('are imported in the allowed direction only', () => {
    expect(graph.size).toBeGreaterThan(20);
    expect(violations(graph, LAYERS)).toEqual([]);
  });

  it('have no cycle of imports, types included', () => {
    const published = [...graph].filter(([path]) => !path.startsWith('conformance/'));
    expect(cycleIn(new Map(published))).toBeUndefined();
  });
});

describe('the layering check', () => {
  const check = (files: Record<string, string>): string[] => {
    const others = { 'core/a.ts': '', 'memory/a.ts': '', 'redis/a.ts': '', 'nest/a.ts': '' };
    return violations(importGraph(new Map(Object.entries({ ...others, ...files }))), LAYERS);
  };

  it('accepts what is allowed', () => {
    const files = {
      'core/b.ts': `import { once } from 'node:events'; import { a } from './a.js';`,
      'memory/b.ts': `import type { A } from '../core/a.js';`,
      'nest/b.ts': `import { Module } from '@nestjs/common'; import { map } from 'rxjs/operators'; export * from '../memory/a.js';`,
      'index.ts': `export * from './core/a.js'; export * from './nest/a.js';`,
    };
    expect(check(files)).toEqual([]);
  });

  it.each([
    ['core imports nest', 'core/b.ts', `import { a } from '../nest/a.js';`],
    ['core imports a type of a backend', 'core/b.ts', `import type { A } from '../memory/a.js';`],
    ['core imports a package', 'core/b.ts', `import { Injectable } from '@nestjs/common';`],
    ['core names a type of a package in passing', 'core/b.ts', `export type A = import('rxjs').Observable<1>;`],
    ['core loads a package dynamically', 'core/b.ts', `export const a = () => import('rxjs');`],
    ['core loads a package by require', 'core/b.ts', `export const a = require('rxjs');`],
    ['core loads who knows what', 'core/b.ts', `export const a = (name: string) => import(name);`],
    ['core imports a built-in without saying so', 'core/b.ts', `import { once } from 'events';`],
    ['core imports the package it is part of', 'core/b.ts', `import { Lock } from 'nestjs-locked';`],
    ['a backend imports its sibling', 'redis/b.ts', `export { a } from '../memory/a.js';`],
    ['a store, deeper down, imports a sibling of its backend', 'cas/stores/b.ts', `import '../../redis/a.js';`],
    ['nest imports a backend that is not the default', 'nest/b.ts', `import { type A } from '../redis/a.js';`],
    ['nest imports a package that is no peer', 'nest/b.ts', `import express from 'express';`],
    ['the conformance suite imports a backend', 'conformance/b.ts', `import { a } from '../memory/a.js';`],
    ['the public surface imports a backend', 'index.ts', `export * from './memory/a.js';`],
    ['a folder that nobody has thought about', 'etcd/b.ts', ''],
    ['a folder called like something every object has', 'constructor/b.ts', ''],
    ['a file directly in lib', 'other.ts', ''],
    ['a file that does not exist', 'core/b.ts', `import { a } from './gone.js';`],
  ])('fails when %s', (_name, path, text) => {
    expect(check({ [path]: text })).toEqual([expect.stringContaining(`${path}: `)]);
  });

  it('finds a cycle, also of types alone, and names the files along it', () => {
    const files = {
      'core/a.ts': `import { b } from './b.js';`,
      'core/b.ts': `import type { C } from './c.js';`,
      'core/c.ts': `export type B = import('./b.js').B;`,
    };
    const graph = importGraph(new Map(Object.entries(files)));
    expect(cycleIn(graph)).toEqual(['core/b.ts', 'core/c.ts', 'core/b.ts']);
  });
});
