// The subscription that tells Admit of uploads. A deployment of its own, made after the code was published: Event Grid asks the function
// for its existence, and refuses a subscription to one that is not there.
targetScope = 'resourceGroup'

@description('Output functionApp of main.bicep.')
param functionApp string

@description('Output eventTopic of main.bicep.')
param eventTopic string

@description('Output hostAccount of main.bicep.')
param hostAccount string

@description('Output undeliveredContainer of main.bicep.')
param undeliveredContainer string

resource topic 'Microsoft.EventGrid/systemTopics@2022-06-15' existing = {
  name: eventTopic
}

resource host 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: hostAccount
}

resource uploads 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2022-06-15' = {
  parent: topic
  name: 'uploads'
  properties: {
    destination: {
      // Event Grid finds the function's webhook and its key by itself.
      endpointType: 'AzureFunction'
      properties: {
        resourceId: resourceId('Microsoft.Web/sites/functions', functionApp, 'Admit')
        // One: if one event of a batch fails, the host answers 500 and the whole batch comes again.
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: [
        'Microsoft.Storage.BlobCreated'
      ]
      // The other zones are written by the app itself.
      subjectBeginsWith: '/blobServices/default/containers/landing-'
      // Operations that leave a complete blob, as in COMPLETE of handlers/flow/src/steps/admit.rs; tests/infra/check.py compares. Admit
      // looks again; the filter spares it an invocation for each piece of an append blob.
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.api'
          values: [
            'PutBlob'
            'PutBlockList'
            'CopyBlob'
            'PutBlobFromURL'
            'PutBlobFromUrl'
            'FlushWithClose'
            'SftpCommit'
          ]
        }
      ]
    }
    // Event Grid's longest. The sweep finds an upload without its event a few minutes later, so that these are for an app that is down.
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: host.id
          blobContainerName: undeliveredContainer
        }
      }
    }
  }
}
