import { SCOPES, type Scope } from '@vertexsms/contract/scopes'
import { room } from './room.ts'

type OfScopes = Readonly<Record<Scope, string>>

function catalogued(member: 'shortName' | 'description'): OfScopes {
  return Object.fromEntries(Object.entries(SCOPES).map(([scope, words]) => [scope, words[member]])) as OfScopes
}

/**
 * What a scope lets an app do, in a sentence; what it is called where there is no room for that, in the words that the
 * sentence begins with; and what it means to somebody who never sent an SMS by a program.
 */
export const scopes = room({
  en: {
    may: catalogued('description'),
    named: catalogued('shortName'),
    explained: {
      'sms:send': 'to any number, within the limits below',
      'sms:rates': 'what an SMS costs in each country',
      'sender:write': 'the names and numbers that your texts come from',
      'hlr:lookup': 'whether a number is in use',
      'numbers:read': 'countries, networks, and how numbers are written',
    },
  },
  lt: {
    may: {
      'sms:send': 'Siųsti SMS jūsų vardu.',
      'sms:rates': 'Peržiūrėti SMS kainas.',
      'sender:write': 'Registruoti ir patvirtinti siuntėjus jūsų paskyroje.',
      'hlr:lookup': 'Atlikti HLR užklausas (kiekviena apmokestinama).',
      'numbers:read': 'Peržiūrėti mobiliojo ryšio tinklų duomenis ir tikrinti telefono numerius.',
    },
    named: {
      'sms:send': 'Siųsti SMS',
      'sms:rates': 'Peržiūrėti SMS kainas',
      'sender:write': 'Registruoti ir patvirtinti siuntėjus',
      'hlr:lookup': 'Atlikti HLR užklausas',
      'numbers:read': 'Peržiūrėti mobiliojo ryšio tinklų duomenis ir tikrinti telefono numerius',
    },
    explained: {
      'sms:send': 'bet kokiu numeriu, neviršijant toliau nurodytų ribų',
      'sms:rates': 'kiek kainuoja SMS kiekvienoje šalyje',
      'sender:write': 'vardai ir numeriai, iš kurių ateina jūsų žinutės',
      'hlr:lookup': 'ar numeris naudojamas',
      'numbers:read': 'šalys, tinklai ir kaip rašomi numeriai',
    },
  },
})
