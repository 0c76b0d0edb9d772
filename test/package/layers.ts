import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { type Node, nodesOf, parse, stringOf } from './source.js';

/** For each file what it imports, as it says it; types count as well, since a user's compiler follows them. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** What a folder of lib, or a file directly in it, may import. Everybody may import built-ins of Node, and itself. */
export interface Layer {
  readonly layers: readonly string[];
  readonly packages: readonly string[];
}

export function importGraph(files: ReadonlyMap<string, string>): ImportGraph {
  return new Map([...files].map(([path, text]) => [path, importsOf(text)]));
}

/** Static, dynamic, re-exported, `import('…').Type` and `require`. What is computed is `?`. */
function importsOf(text: string): string[] {
  const found: string[] = [];
  for (const node of nodesOf(parse(text))) {
    const from = sourceOf(node);
    if (from !== undefined) found.push(from);
  }
  return [...new Set(found)];
}

function sourceOf(node: Node): string | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
      return stringOf(node['source']);
    case 'TsImportType':
      return stringOf(node['argument']);
    case 'TsExternalModuleReference':
      return stringOf(node['expression']);
    case 'CallExpression': {
      const callee = node['callee'] as Node;
      if (callee.type !== 'Import' && stringOf(callee) !== 'require') return undefined;
      const [first] = node['arguments'] as { expression: Node }[];
      return stringOf(first?.expression.type === 'StringLiteral' ? first.expression : undefined) ?? '?';
    }
    default:
      return undefined;
  }
}

/** Every import that its layer does not allow, as a sentence. */
export function violations(graph: ImportGraph, layers: Readonly<Record<string, Layer>>): string[] {
  const found: string[] = [];
  for (const [path, imports] of graph) {
    const own = layerOf(path);
    const layer = Object.hasOwn(layers, own) ? layers[own] : undefined;
    if (layer === undefined) {
      found.push(`${path}: no layer is called '${own}'; say in layering.spec.ts what it may import`);
      continue;
    }
    for (const specifier of imports) {
      const fault = faultOf(path, specifier, graph, own, layer);
      if (fault !== undefined) found.push(`${path}: ${fault}`);
    }
  }
  return found;
}

function faultOf(path: string, specifier: string, graph: ImportGraph, own: string, layer: Layer): string | undefined {
  if (specifier === '?') return 'imports something computed, which cannot be followed';
  if (specifier.startsWith('.')) {
    const target = resolve(path, specifier);
    if (!graph.has(target)) return `imports ${specifier}, which is no file of lib`;
    const other = layerOf(target);
    return other === own || layer.layers.includes(other) ? undefined : `${own} must not import ${other} (${specifier})`;
  }
  if (isBuiltin(specifier))
    return specifier.startsWith('node:') ? undefined : `${specifier} is written node:${specifier}`;
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  return layer.packages.includes(name) ? undefined : `${own} must not import the package ${name}`;
}

/** A cycle of imports, types included, if there is one: the files along it, the first again at the end. */
export function cycleIn(graph: ImportGraph): readonly string[] | undefined {
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const specifier of graph.get(path) ?? []) {
      const cycle = specifier.startsWith('.') ? walk(resolve(path, specifier), [...trail, path]) : undefined;
      if (cycle !== undefined) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of graph.keys()) {
    const cycle = walk(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function layerOf(path: string): string {
  return path.split('/')[0]!;
}

function resolve(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
}
