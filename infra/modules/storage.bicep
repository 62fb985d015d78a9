// Two accounts. The host's holds what Azure Functions needs (package, keys, locks) and events that could not be delivered; the lake holds
// data. Apart, so that no upload grant, signed for the lake, can ever reach the app's own package.

param hostName string
param lakeName string
param location string
param tags object
param lakeSku string
param hierarchicalNamespace bool

@description('One landing container is made for each.')
param partners array

@description('Origins of the web app: its pages upload with a grant.')
param webOrigins array

@description('Days in which a deleted blob or container can be brought back.')
@minValue(1)
@maxValue(365)
param softDeleteDays int

// One rule for all origins, or none: a rule without an origin is refused.
var pages = empty(webOrigins) ? [] : [webOrigins]
var landing = [for partner in partners: 'landing-${partner}']
// The constants of handlers/flow/src/lake.rs; tests/infra/check.py compares.
var zones = [
  'raw'
  'curated'
  'review'
  'archive'
  'reference'
]

resource lake 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: lakeName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: lakeSku
  }
  properties: {
    accessTier: 'Hot'
    isHnsEnabled: hierarchicalNamespace
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Without keys only Entra ID identities and user delegation SAS work; that is all the handler uses (handlers/azure/src/grant.rs).
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    // Partners upload from the internet; a signature or a token guards every request.
    publicNetworkAccess: 'Enabled'
  }
}

// No versioning: an account with a hierarchical namespace has none, and every zone but landing is create-only in any case.
// No lifecycle rule: age alone says nothing here. A run may wait for people as long as it likes, the archive step sets the tier of the raw
// copy, and a pipeline decides whether its landing blob goes. A rule by age would take files from under a run.
resource lakeBlobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: lake
  name: 'default'
  properties: {
    // A browser sends blocks to the landing container itself; the grant in the URL is what lets it.
    cors: {
      corsRules: [
        for origins in pages: {
          allowedOrigins: origins
          allowedMethods: [
            'GET'
            'HEAD'
            'PUT'
            'OPTIONS'
          ]
          allowedHeaders: [
            '*'
          ]
          exposedHeaders: [
            '*'
          ]
          maxAgeInSeconds: 600
        }
      ]
    }
    deleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
  }
}

resource lakeContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [
  for name in concat(zones, landing): {
    parent: lakeBlobs
    name: name
    properties: {
      publicAccess: 'None'
    }
  }
]

resource host 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: hostName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    accessTier: 'Hot'
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    publicNetworkAccess: 'Enabled'
  }
}

resource hostBlobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: host
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
  }
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: hostBlobs
  name: 'package'
  properties: {
    publicAccess: 'None'
  }
}

resource undelivered 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: hostBlobs
  name: 'undelivered'
  properties: {
    publicAccess: 'None'
  }
}

// Undelivered events are for a person to look at: the sweep finds their blobs without them, so that old ones may go.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = {
  parent: host
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'undelivered-events'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
                'appendBlob'
              ]
              prefixMatch: [
                '${undelivered.name}/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: 90
                }
              }
            }
          }
        }
      ]
    }
  }
}

output hostName string = host.name
output hostBlobEndpoint string = host.properties.primaryEndpoints.blob
output packageContainer string = package.name
output undeliveredContainer string = undelivered.name
output lakeName string = lake.name
output lakeId string = lake.id
output lakeBlobEndpoint string = lake.properties.primaryEndpoints.blob
