// The one identity of the function app. User-assigned, so that its roles exist before the app does: with a system-assigned identity the
// first start would find its own storage closed.

param name string
param location string
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
  tags: tags
}

output id string = identity.id
output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId
