import * as v from 'valibot'
import type { ObjectName } from '../../backend/backend.ts'
import { HoldfastError } from '../../base/errors.ts'

/** A schema whose objects say of which version they are. */
export type Versioned = v.GenericSchema<unknown, { readonly version: number }>

const laterSchema = v.object({ version: v.pipe(v.number(), v.integer(), v.minValue(2)) })

export function encodeJson(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

/** Errors: `damaged`. */
export function parseJson<Schema extends v.GenericSchema>(schema: Schema, name: ObjectName, bytes: Uint8Array): v.InferOutput<Schema> {
  return checked(schema, name, decodeJson(name, bytes))
}

/** Of version 1. Errors: `damaged`, `version` (a later version says more than this one knows). */
export function parseVersioned<Schema extends Versioned>(schema: Schema, name: ObjectName, bytes: Uint8Array): v.InferOutput<Schema> {
  const value = decodeJson(name, bytes)
  if (v.is(laterSchema, value)) throw new HoldfastError('version', `${name} is of a later version of Holdfast.`, { data: { object: name } })
  return checked(schema, name, value)
}

function decodeJson(name: ObjectName, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    throw new HoldfastError('damaged', `${name} holds no JSON.`, { cause: error, data: { object: name } })
  }
}

function checked<Schema extends v.GenericSchema>(schema: Schema, name: ObjectName, value: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value)
  if (!result.success) throw new HoldfastError('damaged', `${name} holds something unexpected.`, { data: { object: name } })
  return result.output
}
