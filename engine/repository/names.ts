import { toHex } from '../base/bytes.ts'
import type { ObjectName } from '../backend/backend.ts'
import type { Random } from './crypto.ts'

/** Objects that are named at random: 32 hex digits say nothing and are never used twice. */
export function randomName(random: Random): string {
  return toHex(random(16))
}

export const configObject: ObjectName = 'config'

/** `packs/<first two>/<name>`, so that a listing can be shared out over 256 prefixes. */
export function packObject(name: string): ObjectName {
  return `packs/${name.slice(0, 2)}/${name}`
}

/** The pack's name, or undefined when the object is not in a pack's place. */
export function packNameOf(object: ObjectName): string | undefined {
  const match = /^packs\/([0-9a-f]{2})\/(\1[0-9a-f]{30})$/.exec(object)
  return match?.[2]
}

export function indexObject(name: string): ObjectName {
  return `index/${name}`
}

export function keyObject(name: string): ObjectName {
  return `keys/${name}`
}
