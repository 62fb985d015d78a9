// The topic of the lake's events. Its subscription is infra/events.bicep: it names a function, which must exist first.

param name string
param location string
param tags object
param lakeId string

resource topic 'Microsoft.EventGrid/systemTopics@2022-06-15' = {
  name: name
  location: location
  tags: tags
  // It writes undelivered events, and needs a name for that: the accounts have no keys.
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: lakeId
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

output name string = topic.name
output id string = topic.id
output principalId string = topic.identity.principalId
