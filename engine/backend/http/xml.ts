/** A page of a thousand keys has about twenty tags for each; a key is at most 1024 bytes, six times as long when all are escaped. */
const mostTags = 100_000
const longestText = 16 * 1024

/** Whether a document costs a parser little: it takes some hundred bytes for each tag, and forty for each character of a text. */
export function isParsable(xml: Buffer, most = mostTags): boolean {
  let tags = 0
  for (let at = 0; ; tags++) {
    const next = xml.indexOf('<', at)
    if ((next < 0 ? xml.length : next) - at > longestText) return false
    if (next < 0) return tags <= most
    at = next + 1
  }
}
