/** A process that asks for a token as a backup of the command line does: `token-holder.ts HOME SERVICE MARK`. Prints it, or why there is none. */
import { openAccounts } from '../../../engine/cli/accounts/owner.ts'
import { systemClock } from '../../../engine/base/clock.ts'
import { asHoldfastError } from '../../../engine/base/errors.ts'
import { signInKinds } from '../../../engine/accounts/services.ts'

const [, , home = '', kind, mark] = process.argv
const service = signInKinds.find((one) => one === kind) ?? 'box'
await using owner = openAccounts(home, process.env, systemClock)
try {
  const { accessToken } = await owner.token({ service }, mark === '' ? undefined : mark, new AbortController().signal)
  process.stdout.write(`${accessToken}\n`)
} catch (error) {
  const { code, data } = asHoldfastError(error)
  process.stdout.write(`${code} ${String(data['reason'])}\n`)
  process.exitCode = 1
}
