/** The program's version, as package.json says (a test compares them: a built engine has no package.json beside it). */
export const version = '0.1.0'
