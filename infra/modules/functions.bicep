// The function app: Flex Consumption, with the handler as a custom handler.

param name string
param location string
param tags object
param identityId string
param identityClientId string
param hostAccount string
param hostBlobEndpoint string
param packageContainer string
param lakeBlobEndpoint string
param serviceBusHostName string
param cosmosEndpoint string
param cosmosDatabase string
param vaultEndpoint string
param insightsConnectionString string
param issuer string
param audience string
param partnerClaim string
param partnerIds string
param webOrigins array
param runtimeVersion string
param instanceMemory int
param maximumInstances int

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    // Linux.
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostBlobEndpoint}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      // A version that the region does not know is accepted here and breaks every start (Azure/Azure-Functions#2666): README, "Before".
      runtime: {
        name: 'custom'
        version: runtimeVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemory
        maximumInstanceCount: maximumInstances
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      // The reviewers' web app is static and calls the API from its own origin, with a bearer token and no cookie.
      cors: {
        allowedOrigins: webOrigins
        supportCredentials: false
      }
    }
  }
}

// No FUNCTIONS_WORKER_RUNTIME and no FUNCTIONS_EXTENSION_VERSION: Flex takes them from functionAppConfig (Learn, "App settings reference",
// Flex Consumption plan deprecations). No keys and no secrets: a name and an identity each.
resource settings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: {
    AzureWebJobsStorage__accountName: hostAccount
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    ServiceBus__fullyQualifiedNamespace: serviceBusHostName
    ServiceBus__credential: 'managedidentity'
    ServiceBus__clientId: identityClientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    SLUICE_BLOB_ENDPOINT: lakeBlobEndpoint
    SLUICE_COSMOS_ENDPOINT: cosmosEndpoint
    SLUICE_COSMOS_DATABASE: cosmosDatabase
    SLUICE_KEYVAULT_ENDPOINT: vaultEndpoint
    SLUICE_CREDENTIAL: 'managed'
    SLUICE_IDENTITY_CLIENT_ID: identityClientId
    SLUICE_ISSUER: issuer
    SLUICE_AUDIENCE: audience
    SLUICE_PARTNER_CLAIM: partnerClaim
    SLUICE_PARTNERS: partnerIds
  }
}

// No passwords for deployment either: func and az publish with the engineer's own token.
resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

output name string = app.name
output hostName string = app.properties.defaultHostName
