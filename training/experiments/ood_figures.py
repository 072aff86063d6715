"""Out-of-distribution detection as published (Ahmed, 2017, M.Sc. thesis, chapter 4): AUPR in percent."""

__all__ = ["PUBLISHED"]

# By data set and system, the class that was held out from the first to the last.
PUBLISHED: dict[str, dict[str, tuple[float, ...]]] = {
    "mnist": {
        "vae": (40.20, 5.98, 65.37, 36.86, 34.49, 38.56, 38.13, 10.13, 57.64, 11.09),
        "pixelcnn": (31.31, 5.98, 42.60, 36.31, 19.74, 26.29, 23.76, 8.33, 50.57, 12.49),
        "pixelvae": (40.89, 6.08, 56.12, 38.33, 19.09, 28.12, 33.16, 11.75, 54.85, 11.50),
        "dcgan": (44.16, 6.00, 14.40, 12.92, 7.38, 9.75, 9.68, 7.17, 12.87, 8.23),
    },
    "cifar10": {
        "iaf_vae": (5.19, 28.83, 7.48, 8.57, 24.60, 9.71, 60.30, 18.78, 5.36, 21.96),
        "pixelcnn_pp": (30.39, 8.40, 11.46, 9.79, 7.41, 9.00, 6.74, 7.88, 15.63, 8.36),
        "pixelvae": (6.95, 14.11, 9.83, 9.23, 11.48, 8.63, 17.21, 10.64, 6.88, 11.45),
        "dcgan": (10.46, 12.00, 11.38, 10.47, 8.37, 11.32, 12.73, 10.57, 13.14, 12.50),
    },
}
