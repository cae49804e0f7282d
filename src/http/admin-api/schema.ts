/** The part of JSON Schema (2020-12) that the admin API is written in. */
export interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
  readonly not?: Schema
  readonly [keyword: string]: unknown
}

interface Scalars {
  readonly string: string
  readonly integer: number
  readonly null: null
}

/** The type of the values that a schema written `as const` admits. */
export type Typed<S> = S extends { readonly enum: readonly (infer E)[] }
  ? E
  : S extends { readonly properties: infer P; readonly required: readonly (infer R)[] }
    ? { readonly [K in keyof P as K extends R ? K : never]: Typed<P[K]> } & {
        readonly [K in keyof P as K extends R ? never : K]?: Typed<P[K]>
      }
    : S extends { readonly items: infer I }
      ? readonly Typed<I>[]
      : S extends { readonly type: infer T }
        ? ScalarOf<T extends readonly (infer U)[] ? U : T>
        : never

type ScalarOf<T> = T extends keyof Scalars ? Scalars[T] : never
