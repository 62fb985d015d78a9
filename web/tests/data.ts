/** Files as partners send them; every call makes another one, so that no test meets what another one did. */

let made = 0;
const started = Date.now().toString(36);

/** A name that no other test uses. */
export function unique(stem: string): string {
  made += 1;
  return `${stem}-${started}-${made}`;
}

const FLIGHTS_HEADER =
  'year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour';

interface Flight {
  flight: number;
  arrDelay?: number;
  airTime?: number;
  depDelay?: string;
  carrier?: string;
}

function flight({ flight, arrDelay = 11, airTime = 227, depDelay = '2', carrier = 'UA' }: Flight): string {
  return `2013,1,1,517,515,${depDelay},830,819,${arrDelay},${carrier},${flight},N14228,EWR,IAH,${airTime},1400,5,15,2013-01-01T10:00:00Z`;
}

export interface Flights {
  good?: number;
  /** Held by the rule long-delay. */
  late?: number;
  /** Held by the rule too-fast. */
  fast?: number;
  /** Rejected: the delay is no number. */
  bad?: number;
}

export function flights({ good = 5, late = 0, fast = 0, bad = 0 }: Flights): string {
  let number = 1;
  const rows = [
    ...Array.from({ length: good }, () => flight({ flight: number++ })),
    ...Array.from({ length: late }, (_, at) => flight({ flight: number++, arrDelay: 400 + at })),
    ...Array.from({ length: fast }, (_, at) => flight({ flight: number++, airTime: 60 + (at % 40) })),
    ...Array.from({ length: bad }, () => flight({ flight: number++, depDelay: 'late' })),
  ];
  return `${FLIGHTS_HEADER}\n${rows.join('\n')}\n`;
}

/** Orders of the web shop: the pipeline asks two people about large ones. */
export function orders({ good = 3, large = 0 }: { good?: number; large?: number }): string {
  const order = (at: number, total: number) =>
    JSON.stringify({
      order_id: `ORD-${String(100_000 + at)}`,
      customer_id: 'b9a2f1f2-4f3f-437f-ae1a-1f5bee7fb0b7',
      email: 'dario@example.com',
      ordered_at: '2024-05-01T06:18:43+02:00',
      delivery_date: '2024-05-09',
      status: 'new',
      country: 'SE',
      total,
      discount_percent: null,
      express: false,
      note: null,
      address: { street: 'Hauptstraße 15', city: 'Malmö', zip: '88127', geo: { lat: 59.6905, lon: 2.0306 } },
      items: [{ sku: 'SKU-0049', quantity: 1, price: total }],
    });
  return Array.from({ length: good + large }, (_, at) => `${order(at + 1, at < good ? 100.5 : 3000 + at)}\n`).join('');
}
