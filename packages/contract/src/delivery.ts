/** The statuses of a delivery report, by what they say of the message; `seen` is delivered, and read (Viber). */
export const DELIVERY_STATUS = { delivered: 1, failed: 2, seen: 3, expired: 16 } as const

/** One of them. */
export type DeliveryStatus = (typeof DELIVERY_STATUS)[keyof typeof DELIVERY_STATUS]

/** What became of a message that its network or operator is done with. */
export type Became = 'delivered' | 'failed' | 'expired'

const BECAME: Readonly<Record<DeliveryStatus, Became>> = {
  [DELIVERY_STATUS.delivered]: 'delivered',
  [DELIVERY_STATUS.failed]: 'failed',
  [DELIVERY_STATUS.seen]: 'delivered',
  [DELIVERY_STATUS.expired]: 'expired',
}

/** What became of a message by the status of a report; undefined for a number that ends nothing. */
export function becameOf(status: number): Became | undefined {
  return Object.hasOwn(BECAME, status) ? BECAME[status as DeliveryStatus] : undefined
}

/** Whether a status says that the message arrived. */
export function hasArrived(status: number): boolean {
  return becameOf(status) === 'delivered'
}
