// One queue a step. A message carries ids only; the state is in the catalog.

param name string
param location string
param tags object

// The names of functions/*/function.json; tests/infra/check.py compares.
var queueNames = [
  'move'
  'seal'
  'transform'
  'gather'
  'reviews'
  'decisions'
  'publish'
  'archive'
]

// Standard for its base charge of a few euros a month; Premium costs hundreds for a throughput that ids do not need. Basic lacks sessions,
// topics and duplicate detection, none of which is used: it may do for a test environment, but nobody has tried.
resource namespace 'Microsoft.ServiceBus/namespaces@2021-11-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
  }
  properties: {
    disableLocalAuth: true
  }
}

resource queues 'Microsoft.ServiceBus/namespaces/queues@2021-11-01' = [
  for queue in queueNames: {
    parent: namespace
    name: queue
    properties: {
      // The host renews the lock for up to 30 minutes (host.json), so this is only how long a message waits after its instance died.
      // Longer than the longest call of the handler (45 s, handlers/azure/src/patience.rs), with room for a late renewal on a busy instance.
      lockDuration: 'PT2M'
      // Redelivery is immediate and without back-off, but each try retries for 20 s by itself: ten tries outlast a short outage.
      maxDeliveryCount: 10
      // Longer than a long weekend without the service. An expired message is dead-lettered, where its run shows it: nothing vanishes.
      defaultMessageTimeToLive: 'P7D'
      deadLetteringOnMessageExpiration: true
      // A custom handler cannot set MessageId, so that the broker could recognise no duplicate; the steps are idempotent instead.
      requiresDuplicateDetection: false
      requiresSession: false
      enablePartitioning: false
      maxSizeInMegabytes: 1024
    }
  }
]

output name string = namespace.name
output id string = namespace.id
// The host wants the bare host name; serviceBusEndpoint is a URL with a port.
output hostName string = split(split(namespace.properties.serviceBusEndpoint, '//')[1], ':')[0]
