import type { Channel } from './channel.ts'

export interface StageOptions<Input> {
  readonly input: Channel<Input>
  /** Closed when the input has ended and all work is done; failed when the stage fails. */
  readonly outputs?: readonly Pick<Channel<unknown>, 'close' | 'fail'>[]
  /** How many values are worked on at a time. */
  readonly concurrency: number
  readonly work: (value: Input) => Promise<void>
}

/**
 * Works on each value of `input` until that is closed and empty. An error, of the work or of a channel, goes both ways: the input fails, which
 * stops the stages before, and so do the outputs, which stops those behind. Resolves or rejects when no work is left running.
 */
export async function runStage<Input>(options: StageOptions<Input>): Promise<void> {
  const { input, outputs = [], concurrency, work } = options
  const failed = (error: unknown): never => {
    input.fail(error)
    for (const output of outputs) output.fail(error)
    throw error
  }
  const lane = async (): Promise<void> => {
    try {
      for await (const value of input) await work(value)
    } catch (error) {
      failed(error)
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: concurrency }, lane))
  const rejected = lanes.find((result) => result.status === 'rejected')
  if (rejected) throw rejected.reason
  for (const output of outputs) output.close()
}
