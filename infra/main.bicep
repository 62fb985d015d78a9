// Everything that Sluice needs in one resource group, but the code and the event subscription: first this file, then the code, then
// events.bicep. README.md has the commands.
targetScope = 'resourceGroup'

@description('Region of all resources; one that has Flex Consumption.')
param location string = resourceGroup().location

@description('Name of the environment, such as dev or prod.')
@minLength(2)
@maxLength(8)
param environmentName string

@description('First part of every name: lower-case letters and digits, since storage accounts allow nothing else.')
@minLength(3)
@maxLength(6)
param prefix string = 'sluice'

@description('Partners, by the id that their landing container is named after: lower-case letters, digits and single hyphens.')
param partners array

@description('Audience of access tokens: the client id of the API app registration, or its api:// URI; several separated by commas.')
@minLength(1)
param audience string

@description('Issuer of access tokens, without a slash at its end.')
param issuer string = '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'

@description('Claim that names the partner of a token.')
param partnerClaim string = 'extension_partner'

@description('Partners of callers without that claim: object or client id=partner, separated by commas.')
param partnerIds string = ''

@description('Origins of the web app, such as https://review.example.com.')
param webOrigins array = []

@description('Who gets mail about alerts; empty: nobody.')
param alertEmail string = ''

@description('Redundancy of the lake. Zone-redundant accounts have no archive tier: a pipeline with `tier: archive` fails there.')
@allowed([
  'Standard_LRS'
  'Standard_GRS'
  'Standard_ZRS'
  'Standard_GZRS'
])
param lakeSku string = 'Standard_GRS'

@description('Hierarchical namespace (ADLS Gen2) of the lake. Can be switched on later, never off: README, "Hierarchical namespace".')
param hierarchicalNamespace bool = false

@description('Days in which a deleted blob or container can be brought back.')
@minValue(1)
@maxValue(365)
param softDeleteDays int = 7

@description('Version of the custom runtime, as `az functionapp list-flexconsumption-runtimes --runtime custom` names it.')
param runtimeVersion string = '1.0'

@description('Memory of an instance, in MB; the host takes its share of it. CPU grows with it.')
@allowed([
  2048
  4096
])
param instanceMemory int = 2048

@description('Most instances. A ceiling for cost, and for the load on a serverless Cosmos DB.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('Days that logs are kept; the first 31 are free.')
@minValue(30)
@maxValue(730)
param logDays int = 31

var unique = uniqueString(resourceGroup().id, prefix, environmentName)
var name = '${prefix}-${environmentName}-${unique}'
var tags = {
  application: prefix
  environment: environmentName
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: name
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    name: name
    location: location
    tags: tags
    retentionDays: logDays
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    hostName: '${prefix}host${unique}'
    lakeName: '${prefix}lake${unique}'
    location: location
    tags: tags
    lakeSku: lakeSku
    hierarchicalNamespace: hierarchicalNamespace
    partners: partners
    softDeleteDays: softDeleteDays
    webOrigins: webOrigins
  }
}

module serviceBus 'modules/servicebus.bicep' = {
  name: 'servicebus'
  params: {
    name: name
    location: location
    tags: tags
  }
}

module cosmos 'modules/cosmos.bicep' = {
  name: 'cosmos'
  params: {
    name: name
    location: location
    tags: tags
    databaseName: 'sluice'
  }
}

module keyVault 'modules/keyvault.bicep' = {
  name: 'keyvault'
  params: {
    // A vault's name has 24 characters at most.
    name: '${prefix}-kv-${unique}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module eventGrid 'modules/eventgrid.bicep' = {
  name: 'eventgrid'
  params: {
    name: name
    location: location
    tags: tags
    lakeId: storage.outputs.lakeId
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    principalId: identity.outputs.principalId
    topicPrincipalId: eventGrid.outputs.principalId
    hostAccount: storage.outputs.hostName
    undeliveredContainer: storage.outputs.undeliveredContainer
    lakeAccount: storage.outputs.lakeName
    serviceBus: serviceBus.outputs.name
    cosmosAccount: cosmos.outputs.name
    vault: keyVault.outputs.name
    insights: monitoring.outputs.insightsName
  }
}

module functions 'modules/functions.bicep' = {
  name: 'functions'
  // Without its roles the app could neither read its package nor start.
  dependsOn: [
    roles
  ]
  params: {
    name: name
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostAccount: storage.outputs.hostName
    hostBlobEndpoint: storage.outputs.hostBlobEndpoint
    packageContainer: storage.outputs.packageContainer
    lakeBlobEndpoint: storage.outputs.lakeBlobEndpoint
    serviceBusHostName: serviceBus.outputs.hostName
    cosmosEndpoint: cosmos.outputs.endpoint
    cosmosDatabase: cosmos.outputs.databaseName
    vaultEndpoint: keyVault.outputs.endpoint
    insightsConnectionString: monitoring.outputs.connectionString
    issuer: issuer
    audience: audience
    partnerClaim: partnerClaim
    partnerIds: partnerIds
    webOrigins: webOrigins
    runtimeVersion: runtimeVersion
    instanceMemory: instanceMemory
    maximumInstances: maximumInstances
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    name: name
    location: location
    tags: tags
    serviceBusId: serviceBus.outputs.id
    topicId: eventGrid.outputs.id
    insightsId: monitoring.outputs.insightsId
    email: alertEmail
  }
}

output functionApp string = functions.outputs.name
output api string = 'https://${functions.outputs.hostName}/api'
output lakeEndpoint string = storage.outputs.lakeBlobEndpoint
output cosmosEndpoint string = cosmos.outputs.endpoint
output vault string = keyVault.outputs.name
// For events.bicep.
output eventTopic string = eventGrid.outputs.name
output hostAccount string = storage.outputs.hostName
output undeliveredContainer string = storage.outputs.undeliveredContainer
