import {
  type Chunk,
  type Expression,
  type ForNumericStatement,
  type Identifier,
  type IfStatement,
  parse,
  type Statement,
  type TableConstructorExpression,
} from 'luaparse';
import { type Globals, library, runtime } from './lua-runtime.js';

/** What a script is given, and how it reaches the server. */
export type Script = (globals: Globals) => unknown;

/**
 * A Lua 5.1 program as a function. Numbers are doubles in both languages, as in the Lua of Redis. It is translated, not
 * interpreted, because a simulation runs it a million times. What is not needed by the scripts of this package is not
 * known, and refused.
 */
export function compileLua(text: string): Script {
  const chunk = parse(text, { luaVersion: '5.1', comments: false });
  const body = new Translation().program(chunk);
  const program = new Function('R', 'G', `'use strict';\n${body}`) as (r: typeof runtime, g: Globals) => unknown[];
  return (globals) => program(runtime, { ...library, ...globals })[0];
}

const OPERATORS: Readonly<Record<string, string>> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '..': 'concatenate',
  '<': 'less',
  '<=': 'atMost',
};

/** From Lua to JavaScript. A call answers a list, of which mostly the first value counts. */
class Translation {
  private names = 0;
  private scopes: Map<string, string>[] = [];

  program(chunk: Chunk): string {
    return `${this.block(chunk.body)}\nreturn [];`;
  }

  private block(body: readonly Statement[]): string {
    return this.scope([], body).code;
  }

  /** A block with names of its own, and what they are called there. */
  private scope(names: readonly string[], body: readonly Statement[]): { own: string; code: string } {
    this.scopes.push(new Map());
    const own = names.map((name) => this.declare(name)).join(', ');
    const code = body.map((statement) => this.statement(statement)).join('\n');
    this.scopes.pop();
    return { own, code };
  }

  private declare(name: string): string {
    const unique = `${name}_${(this.names += 1)}`;
    this.scopes.at(-1)!.set(name, unique);
    return unique;
  }

  private name({ name }: Identifier): string {
    const scope = this.scopes.findLast((each) => each.has(name));
    if (scope !== undefined) return scope.get(name)!;
    if (!Object.hasOwn(library, name) && !['KEYS', 'ARGV', 'redis'].includes(name)) throw unknown(`global ${name}`);
    return `G.${name}`;
  }

  private statement(statement: Statement): string {
    switch (statement.type) {
      case 'LocalStatement': {
        const values = this.list(statement.init);
        const names = statement.variables.map(({ name }) => this.declare(name));
        return `let [${names.join(', ')}] = ${values};`;
      }
      case 'AssignmentStatement':
        return this.assignment(statement.variables, statement.init);
      case 'CallStatement':
        return `${this.call(statement.expression)};`;
      case 'FunctionDeclaration': {
        const { identifier, isLocal, parameters, body } = statement;
        if (identifier?.type !== 'Identifier' || !isLocal) throw unknown('a function that is not local');
        const own = this.declare(identifier.name);
        return `const ${own} = ${this.func(parameters, body)};`;
      }
      case 'ReturnStatement':
        return `return ${this.list(statement.arguments)};`;
      case 'IfStatement':
        return this.conditional(statement);
      case 'WhileStatement':
        return `while (${this.truth(statement.condition)}) {\n${this.block(statement.body)}\n}`;
      case 'ForNumericStatement':
        return this.countingLoop(statement);
      case 'ForGenericStatement': {
        const [first, ...more] = statement.iterators;
        if (first === undefined || more.length > 0) throw unknown('a loop over more than one iterator');
        const source = this.single(first);
        const names = statement.variables.map(({ name }) => name);
        const { own, code } = this.scope(names, statement.body);
        return `for (const [${own}] of ${source}) {\n${code}\n}`;
      }
      default:
        throw unknown(statement.type);
    }
  }

  private countingLoop({ variable, start, end, step, body }: ForNumericStatement): string {
    if (step !== null && step.type !== 'NumericLiteral') throw unknown('a step that is not a number');
    const by = step?.value ?? 1;
    const [from, to] = [this.single(start), this.single(end)];
    const { own, code } = this.scope([variable.name], body);
    return `for (let i = ${from}, end = ${to}; i <= end; i += ${by}) { let ${own} = i;\n${code}\n}`;
  }

  private assignment(variables: readonly Expression[], init: readonly Expression[]): string {
    const targets = variables.map((variable) => {
      if (variable.type === 'Identifier') return { own: this.name(variable) };
      if (variable.type === 'MemberExpression' || variable.type === 'IndexExpression') {
        return { of: this.single(variable.base), key: this.key(variable) };
      }
      throw unknown(`an assignment to ${variable.type}`);
    });
    const values = targets.map((_, index) => `v[${index}]`);
    const sets = targets.map((target, index) =>
      'own' in target ? `${target.own} = ${values[index]};` : `R.set(${target.of}, ${target.key}, ${values[index]});`,
    );
    return `{ const v = ${this.list(init)}; ${sets.join(' ')} }`;
  }

  private conditional({ clauses }: IfStatement): string {
    return clauses
      .map((clause) => {
        const body = `{\n${this.block(clause.body)}\n}`;
        if (clause.type === 'ElseClause') return `else ${body}`;
        return `${clause.type === 'IfClause' ? 'if' : 'else if'} (${this.truth(clause.condition)}) ${body}`;
      })
      .join(' ');
  }

  private func(parameters: readonly Expression[], body: readonly Statement[]): string {
    const names = parameters.map((parameter) => {
      if (parameter.type !== 'Identifier') throw unknown('a function of any number of arguments');
      return parameter.name;
    });
    const { own, code } = this.scope(names, body);
    return `(${own}) => {\n${code}\nreturn [];\n}`;
  }

  /** Of the last expression all values, if it is a call. */
  private list(expressions: readonly Expression[]): string {
    const last = expressions.at(-1);
    const parts = expressions.slice(0, -1).map((each) => this.single(each));
    if (last !== undefined) parts.push(isCall(last) ? `...${this.call(last)}` : this.single(last));
    return `[${parts.join(', ')}]`;
  }

  private truth(expression: Expression): string {
    return `R.truth(${this.single(expression)})`;
  }

  private single(expression: Expression): string {
    switch (expression.type) {
      case 'Identifier':
        return this.name(expression);
      case 'StringLiteral':
        return JSON.stringify(expression.raw.slice(1, -1));
      case 'NumericLiteral':
        return String(expression.value);
      case 'BooleanLiteral':
        return String(expression.value);
      case 'NilLiteral':
        return 'undefined';
      case 'TableConstructorExpression':
        return this.table(expression);
      case 'MemberExpression':
      case 'IndexExpression':
        return `R.get(${this.single(expression.base)}, ${this.key(expression)})`;
      case 'CallExpression':
        return `${this.call(expression)}[0]`;
      case 'LogicalExpression': {
        const { operator, left, right } = expression;
        const [first, second] = [this.single(left), this.single(right)];
        return `((l) => R.truth(l) ? ${operator === 'and' ? second : 'l'} : ${operator === 'and' ? 'l' : second})(${first})`;
      }
      case 'UnaryExpression': {
        const { operator, argument } = expression;
        if (operator === 'not') return `!${this.truth(argument)}`;
        if (operator === '#') return `R.length(${this.single(argument)})`;
        if (operator === '-') return `R.subtract(0, ${this.single(argument)})`;
        throw unknown(`operator ${operator}`);
      }
      case 'BinaryExpression':
        return this.binary(expression.operator, this.single(expression.left), this.single(expression.right));
      default:
        throw unknown(expression.type);
    }
  }

  private binary(operator: string, left: string, right: string): string {
    if (operator === '==') return `(${left} === ${right})`;
    if (operator === '~=') return `(${left} !== ${right})`;
    if (operator === '>') return `R.less(${right}, ${left})`;
    if (operator === '>=') return `R.atMost(${right}, ${left})`;
    const name = OPERATORS[operator];
    if (name === undefined) throw unknown(`operator ${operator}`);
    return `R.${name}(${left}, ${right})`;
  }

  private key(expression: Expression): string {
    if (expression.type === 'MemberExpression') return JSON.stringify(expression.identifier.name);
    if (expression.type === 'IndexExpression') return this.single(expression.index);
    throw unknown(expression.type);
  }

  private call(expression: Expression): string {
    if (expression.type !== 'CallExpression') throw unknown(expression.type);
    const callee = this.single(expression.base);
    return `${callee}(...${this.list(expression.arguments)})`;
  }

  private table({ fields }: TableConstructorExpression): string {
    const listed = fields.flatMap((field) => (field.type === 'TableValue' ? [field.value] : []));
    const named = fields.map((field) => {
      if (field.type === 'TableKeyString') return `[${JSON.stringify(field.key.name)}, ${this.single(field.value)}]`;
      if (field.type === 'TableKey') throw unknown('a computed key');
      return '';
    });
    return `R.table(${this.list(listed)}, [${named.filter((each) => each !== '').join(', ')}])`;
  }
}

function isCall({ type }: Expression): boolean {
  return type === 'CallExpression';
}

function unknown(what: string): Error {
  return new Error(`the scripts use what this Lua does not know: ${what}`);
}
