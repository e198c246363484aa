import { Prisma } from './client.ts'

/** The alias of a row as it stands in the text of a statement. Throws for what is not one. */
export function aliasOf(alias: string): Prisma.Sql {
  if (!/^[a-z_]+$/.test(alias)) throw new Error('an alias of small letters stands in the text of a statement')
  return Prisma.raw(alias)
}
