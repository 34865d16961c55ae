/** Whether an address is http:// and leads beyond this machine, so that requests and answers can be read and changed on the way. */
export function isReadableOnTheWay(address: string): boolean {
  const url = urlOf(address)
  return url?.protocol === 'http:' && !/^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\])$/.test(url.hostname)
}

/** Undefined while it is half typed. */
function urlOf(address: string): URL | undefined {
  try {
    return new URL(address)
  } catch {
    return undefined
  }
}
