import { visibleText } from '../../engine/protocol/visible-text.ts'

/** Below this a piece of another alphabet would be found by chance. */
const leastPiece = 6

/** How a secret may stand in a text: as it is, quoted in JSON once or twice, in an address, a form or a header, and as part of something longer in base64 or hexadecimal digits. */
export function spellingsOf(secret: string): readonly string[] {
  // Half a character cannot be in an address.
  const wellFormed = secret.replace(/\p{Surrogate}/gu, '\ufffd')
  const quoted = JSON.stringify(secret).slice(1, -1)
  const percent = encodeURIComponent(wellFormed)
  const plain = [
    secret, quoted, JSON.stringify(quoted).slice(1, -1), visibleText(secret), percent, percent.replaceAll('%20', '+'),
    percent.replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`), encodeURI(wellFormed), encodeURIComponent(percent),
    // What stands between lines, one line each.
    ...(secret.includes('\n') ? secret.split(/\r?\n/).map((line) => line.trim()).filter((line) => line.length >= 8) : []),
  ]
  const pieces = [...inBase64(Buffer.from(secret)), Buffer.from(secret).toString('hex')]
  return [...new Set([...plain, ...pieces.filter((piece) => piece.length >= leastPiece)])]
}

/** In the middle of longer bytes it can begin at three places of a group; what its neighbours change is left off. */
function inBase64(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').replace(/=+$/, '')
    const from = shift === 0 ? 0 : shift + 1
    const rest = (shift + bytes.length) % 3
    const piece = text.slice(from, rest === 0 ? text.length : text.length - 1)
    return [piece, piece.replaceAll('+', '-').replaceAll('/', '_'), encodeURIComponent(piece)]
  })
}
