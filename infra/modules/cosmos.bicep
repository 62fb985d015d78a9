// The catalog: run states, segments, chunks, cases, audit events.

param name string
param location string
param tags object
param databaseName string

// Names that the code fixes: handlers/azure/src/catalog.rs.
var containerName = 'catalog'
var partitionKey = '/pk'

// Every field that a query of handlers/flow/src filters or orders by, but for an object that is only asked for being there (dead_letter), which
// no index of a value serves; tests/infra/check.py compares. ORDER BY a field without an index is
// refused by the service, not only slow. `id` is always indexed; the partition key is not unless it is named here (Learn, "Indexing policies
// in Azure Cosmos DB").
var indexed = [
  'pk'
  'kind'
  'case_id'
  'cause'
  'column'
  'created_at'
  'due_at'
  'expires_at'
  'fixes'
  'grant_id'
  'partner'
  'path'
  'pipeline'
  'receipt'
  'state'
  'status'
  'submission'
  'title'
  'updated_at'
]

// Serverless: files come in bursts, mostly at night, and an idle account then costs its storage only. Its ceiling (5,000 RU/s a physical
// partition) bounds the fan-out, which the handler meets by retrying; an account that runs hot all day is cheaper with autoscale and can be
// changed to it, one way.
resource account 'Microsoft.DocumentDB/databaseAccounts@2024-05-15' = {
  name: name
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    capabilities: [
      {
        name: 'EnableServerless'
      }
    ]
    locations: [
      {
        locationName: location
        failoverPriority: 0
        isZoneRedundant: false
      }
    ]
    // Reads that must see the latest write ask for it themselves (LatestCommitted, handlers/azure/src/catalog.rs).
    consistencyPolicy: {
      defaultConsistencyLevel: 'Session'
    }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: 'Enabled'
    // The audit chain lives here: any second of the last week can be restored. This tier of the backup is free.
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: {
        tier: 'Continuous7Days'
      }
    }
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2024-05-15' = {
  parent: account
  name: databaseName
  properties: {
    resource: {
      id: databaseName
    }
  }
}

resource container 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2024-05-15' = {
  parent: database
  name: containerName
  properties: {
    resource: {
      id: containerName
      partitionKey: {
        kind: 'Hash'
        version: 2
        paths: [
          partitionKey
        ]
      }
      // No composite index: each query orders by one field (handlers/azure/src/query.rs), and a composite index serves only an ORDER BY
      // that names all its fields. It would make every write dearer and no query cheaper.
      indexingPolicy: {
        indexingMode: 'consistent'
        automatic: true
        includedPaths: [for field in indexed: { path: '/${field}/?' }]
        excludedPaths: [
          {
            path: '/*'
          }
        ]
      }
    }
  }
}

output name string = account.name
output id string = account.id
output endpoint string = account.properties.documentEndpoint
output databaseName string = database.name
