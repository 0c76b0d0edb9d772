import { posix } from 'node:path';
import { type Node, parse, stringOf } from './source.js';

/** Every name that a file exports, and whether it is there at run time or for the compiler only. */
export type Surface = ReadonlyMap<string, 'value' | 'type'>;

export function surfaceOf(path: string, files: ReadonlyMap<string, string>): Surface {
  const text = files.get(path);
  if (text === undefined) throw new Error(`${path} is exported and does not exist`);
  const names = new Map<string, 'value' | 'type'>();
  for (const node of parse(text)) {
    for (const [name, kind] of exportsOf(node, path, files)) names.set(name, kind);
  }
  return names;
}

function exportsOf(node: Node, path: string, files: ReadonlyMap<string, string>): Iterable<[string, 'value' | 'type']> {
  switch (node.type) {
    case 'ExportAllDeclaration':
      return surfaceOf(resolve(path, stringOf(node['source'])!), files);
    case 'ExportNamedDeclaration':
      return (node['specifiers'] as Node[]).map((specifier) => [
        stringOf(specifier['exported'] ?? specifier['orig'] ?? specifier['name'])!,
        node['typeOnly'] === true || specifier['isTypeOnly'] === true ? 'type' : 'value',
      ]);
    case 'ExportDeclaration':
      return declared(node['declaration'] as Node);
    case 'ExportDefaultDeclaration':
    case 'ExportDefaultExpression':
      return [['default', 'value']];
    default:
      return [];
  }
}

function declared(node: Node): [string, 'value' | 'type'][] {
  if (node.type === 'VariableDeclaration') {
    return (node['declarations'] as Node[]).map(({ id }) => [stringOf(id)!, 'value']);
  }
  const name = stringOf(node['identifier'] ?? node['id'])!;
  return [[name, node.type.startsWith('Ts') && node.type !== 'TsEnumDeclaration' ? 'type' : 'value']];
}

function resolve(path: string, specifier: string): string {
  if (!specifier.startsWith('.')) throw new Error(`${path} exports all of ${specifier}, which is not ours`);
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
}

export function print(surfaces: ReadonlyMap<string, Surface>): string {
  const lines = [...surfaces].flatMap(([entry, names]) => [
    entry,
    ...[...names].map(([name, kind]) => `  ${kind.padEnd(5)}  ${name}`).toSorted(),
    '',
  ]);
  return lines.join('\n');
}

/** What is gone and what is new, a line each; empty if nothing changed. Tells which entry point a name belongs to. */
export function difference(before: string, after: string): string[] {
  const [old, now] = [namesIn(before), namesIn(after)];
  const gone = old.filter((line) => !now.includes(line)).map((line) => `- ${line}`);
  const added = now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`);
  return [...gone, ...added];
}

export function namesIn(text: string): string[] {
  let entry = '';
  return text.split('\n').flatMap((line) => {
    if (line.startsWith('  ')) return [`${entry}: ${line.trim()}`];
    entry = line;
    return [];
  });
}
