import { room } from './room.ts'

/** What a token may do where that is less than a whole scope, in the words in which `scopes` says it. */
export const routes = room({
  en: {
    everything: 'Everything',
    route: {
      'POST /sms': 'Send SMS',
      'POST /sms/cost': 'Ask what an SMS costs',
      'GET /rates': 'Read SMS rates',
      'POST /senderId': 'Register Sender IDs',
      'POST /senderId/confirm': 'Confirm Sender IDs',
      'POST /hlr': 'Run HLR lookups',
      'GET /hlr': 'Read results of HLR lookups',
      'GET /operators': 'Read mobile networks',
      'GET /mccmnc': 'Read mobile network codes',
      'GET /prefixes': 'Read mobile prefixes',
      'POST /numbers/correct': 'Validate phone numbers',
    },
  },
  lt: {
    everything: 'Viskas',
    route: {
      'POST /sms': 'Siųsti SMS',
      'POST /sms/cost': 'Sužinoti SMS kainą',
      'GET /rates': 'Peržiūrėti SMS kainas',
      'POST /senderId': 'Registruoti siuntėjus',
      'POST /senderId/confirm': 'Patvirtinti siuntėjus',
      'POST /hlr': 'Atlikti HLR užklausas',
      'GET /hlr': 'Peržiūrėti HLR užklausų rezultatus',
      'GET /operators': 'Peržiūrėti mobiliojo ryšio tinklus',
      'GET /mccmnc': 'Peržiūrėti mobiliojo ryšio tinklų kodus',
      'GET /prefixes': 'Peržiūrėti mobiliojo ryšio numerių pradžias',
      'POST /numbers/correct': 'Tikrinti telefono numerius',
    },
  },
})
