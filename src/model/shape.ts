/**
 * What a value that was read from disk must look like. A shape returns the value with nothing but what it knows of, and
 * throws ShapeError at the first thing that is otherwise. A package for that takes longer to load than a thousand VMs to check.
 */
export type Shape<T> = (value: unknown) => T;

/** Its message: where it is, and what was expected there. */
export class ShapeError extends Error {
  constructor(
    readonly path: readonly string[],
    readonly expected: string,
  ) {
    super(`${path.join('.') || 'record'}: expected ${expected}`);
  }
}

const wrong = (expected: string): never => {
  throw new ShapeError([], expected);
};

export const text: Shape<string> = (value) => (typeof value === 'string' ? value : wrong('text'));

export const flag: Shape<boolean> = (value) => (typeof value === 'boolean' ? value : wrong('true or false'));

export const number: Shape<number> = (value) =>
  typeof value === 'number' && Number.isFinite(value) ? value : wrong('a number');

export const wholeNumber: Shape<number> = (value) =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : wrong('a whole number');

/** A value of that shape for which something else holds too. */
export const where =
  <T>(shape: Shape<T>, expected: string, holds: (value: T) => boolean): Shape<T> =>
  (value) => {
    const known = shape(value);
    return holds(known) ? known : wrong(expected);
  };

export const oneOf =
  <const T extends string | number>(choices: readonly T[]): Shape<T> =>
  (value) =>
    choices.find((choice) => choice === value) ?? wrong(`one of ${choices.join(', ')}`);

export const nullable =
  <T>(shape: Shape<T>): Shape<T | null> =>
  (value) =>
    value === null ? null : shape(value);

/** For what earlier versions did not write. */
export const absentAs =
  <T>(absent: T, shape: Shape<T>): Shape<T> =>
  (value) =>
    value === undefined ? absent : shape(value);

export const listOf =
  <T>(shape: Shape<T>): Shape<T[]> =>
  (value) =>
    Array.isArray(value) ? value.map((each, index) => within(String(index), shape, each)) : wrong('a list');

/** An object with any names. */
export const mapOf =
  <T>(shape: Shape<T>): Shape<Record<string, T>> =>
  (value) =>
    Object.fromEntries(
      Object.entries(asObject(value)).map(([name, each]) => [name, within(name, shape, each)]),
    );

export const object = <T extends object>(
  fields: {readonly [Name in keyof T]-?: Shape<T[Name]>},
): Shape<T> => {
  const shapes = Object.entries<Shape<unknown>>(fields);
  return (value) => {
    const source = asObject(value);
    const result: Record<string, unknown> = {};
    for (const [name, shape] of shapes) result[name] = within(name, shape, source[name]);
    return result as T;
  };
};

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : wrong('an object');

const within = <T>(name: string, shape: Shape<T>, value: unknown): T => {
  try {
    return shape(value);
  } catch (error) {
    throw error instanceof ShapeError ? new ShapeError([name, ...error.path], error.expected) : error;
  }
};
