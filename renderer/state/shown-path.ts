import { visibleText } from '../../main/api/text.ts'

const decoder = new TextDecoder()

/** A path for people where only its bytes are known: what is no UTF-8 shows as the sign for that. */
export function shownPath(path: Uint8Array): { readonly name: string; readonly folder: string } {
  const text = visibleText(decoder.decode(path))
  const slash = text.lastIndexOf('/')
  return { name: text.slice(slash + 1), folder: text.slice(0, Math.max(0, slash)) }
}
