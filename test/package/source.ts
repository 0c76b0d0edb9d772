import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from '@swc/core';

export const ROOT = join(import.meta.dirname, '../..');

export interface PackageJson {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

export function packageJson(): PackageJson {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson;
}

/** Paths of the TypeScript files under a folder, relative to it and with slashes, each with its text. */
export function filesUnder(folder: string): Map<string, string> {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  const paths = names.map((name) => name.replaceAll('\\', '/')).filter((name) => name.endsWith('.ts'));
  return new Map(paths.toSorted().map((path) => [path, readFileSync(join(ROOT, folder, path), 'utf8')]));
}

/** A node of the syntax tree, as far as these checks look at it. */
export interface Node {
  readonly type: string;
  readonly [property: string]: unknown;
}

export function parse(text: string): Node[] {
  return parseSync(text, { syntax: 'typescript', decorators: true, target: 'es2022' }).body as unknown as Node[];
}

/** Every node under `root`, itself included. */
export function* nodesOf(root: unknown): Generator<Node> {
  if (typeof root !== 'object' || root === null) return;
  if (typeof (root as Node).type === 'string') yield root as Node;
  for (const value of Object.values(root)) yield* nodesOf(value);
}

export function stringOf(node: unknown): string | undefined {
  const { type, value } = (node ?? {}) as Partial<Node>;
  return type === 'StringLiteral' || type === 'Identifier' ? (value as string) : undefined;
}
