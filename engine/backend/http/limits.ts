/** What one exchange with a server may cost in time and memory, whatever the server does. */
export interface HttpLimits {
  /** For name, TCP, TLS: from the socket's beginning until it stands. */
  readonly connectMs: number
  /**
   * How long nothing may move. A transfer begins with that much credit, and never has more; time takes it away, and bytes, in either
   * direction, give it back. So an exchange ends that long after its last byte, and one that drips ends about as soon.
   */
  readonly standstillMs: number
  /** The same for small requests to a host that just stood still, until it answers: so what tidies up after a failure ends soon. */
  readonly againMs: number
  /** Bytes that give a second back. */
  readonly leastBytesPerSecond: number
  /** For everything but objects: lists, errors, acknowledgements. */
  readonly smallReplyBytes: number
  /** For replies that refuse: a code and a sentence. */
  readonly refusalBytes: number
  /** From beginning to end, for exchanges that move no object. */
  readonly smallExchangeMs: number
  /** Status line and headers of a reply. */
  readonly headerBytes: number
  /** 1xx replies before the real one. */
  readonly interimReplies: number
}

/**
 * A line of 1 kB/s that ten transfers share moves 100 bytes a second in each, and must do; one byte in five seconds must not. The kernel
 * tells of room only when a third of its send buffer is free, at 1 kB/s about every 25 s: hence 40 s and not less. A list page of
 * a thousand keys has 300 kB, of the longest possible keys 7 MB, and takes five minutes at 1 kB/s: hence 8 MiB and ten minutes.
 */
export const standardLimits: HttpLimits = {
  connectMs: 15_000,
  standstillMs: 40_000,
  againMs: 5_000,
  leastBytesPerSecond: 100,
  smallReplyBytes: 8 * 1024 * 1024,
  refusalBytes: 256 * 1024,
  smallExchangeMs: 10 * 60_000,
  headerBytes: 16 * 1024,
  interimReplies: 16,
}
