plugins {
    alias(libs.plugins.android.library)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "kerasep"
    compileSdk = 35
    defaultConfig { minSdk = 24 }
}

kotlin { jvmToolchain(17) }

dependencies {
    implementation(libs.litert)
}
